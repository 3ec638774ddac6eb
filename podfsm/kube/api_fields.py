"""All fields of the API's objects, in the order in which the API server writes them.

podfsm declares only what some rule reads (`podfsm.kube.objects`); the other fields are listed here, so that a misspelt
field can be told from one that podfsm has no use for. Source: `k8s.io/api/core/v1`, `apps/v1`, `batch/v1`,
`policy/v1`, `discovery/v1` and `apimachinery/pkg/apis/meta/v1` of Kubernetes 1.36, with the few fields and the one
kind that older and newer versions have.
"""

from __future__ import annotations

from collections.abc import Mapping


def _split(names: str) -> tuple[str, ...]:
    return tuple(names.split())


_HANDLER = "exec httpGet tcpSocket"
_PROBE_NUMBERS = "initialDelaySeconds timeoutSeconds periodSeconds successThreshold failureThreshold"
_OBJECT = "kind apiVersion metadata spec status"

FIELDS: Mapping[str, tuple[str, ...]] = {
    name: _split(fields)
    for name, fields in {
        "OwnerReference": "apiVersion kind name uid controller blockOwnerDeletion",
        "ObjectMeta": "name generateName namespace selfLink uid resourceVersion generation creationTimestamp"
        " deletionTimestamp deletionGracePeriodSeconds labels annotations ownerReferences finalizers clusterName"
        " managedFields",
        "ExecAction": "command",
        "HTTPHeader": "name value",
        "HTTPGetAction": "path port host scheme httpHeaders",
        "TCPSocketAction": "port host",
        "GRPCAction": "port service",
        "SleepAction": "seconds",
        "Probe": f"{_HANDLER} grpc {_PROBE_NUMBERS} terminationGracePeriodSeconds",
        "LifecycleHandler": f"{_HANDLER} sleep",
        "Lifecycle": "postStart preStop stopSignal",
        "ExitCodes": "operator values",
        "ContainerRestartRule": "action exitCodes",
        "ContainerPort": "name hostPort containerPort protocol hostIP",
        "ResizePolicy": "resourceName restartPolicy",
        "ResourceRequirements": "limits requests claims",
        "EnvVar": "name value valueFrom",
        "KeyReference": "name optional",
        "EnvFromSource": "prefix configMapRef secretRef",
        "VolumeMount": "name readOnly recursiveReadOnly mountPath subPath mountPropagation subPathExpr",
        "Container": "name image command args workingDir ports envFrom env resources resizePolicy restartPolicy"
        " restartPolicyRules volumeMounts volumeDevices livenessProbe readinessProbe startupProbe lifecycle"
        " terminationMessagePath terminationMessagePolicy imagePullPolicy securityContext stdin stdinOnce tty"
        " targetContainerName",
        "PodReadinessGate": "conditionType",
        "PodSchedulingGate": "name",
        "Toleration": "key operator value effect tolerationSeconds",
        "LabelSelectorRequirement": "key operator values",
        "LabelSelector": "matchLabels matchExpressions",
        "TopologySpreadConstraint": "maxSkew topologyKey whenUnsatisfiable labelSelector minDomains nodeAffinityPolicy"
        " nodeTaintsPolicy matchLabelKeys",
        "PodSpec": "volumes initContainers containers ephemeralContainers restartPolicy terminationGracePeriodSeconds"
        " activeDeadlineSeconds dnsPolicy nodeSelector serviceAccountName serviceAccount automountServiceAccountToken"
        " nodeName hostNetwork hostPID hostIPC shareProcessNamespace securityContext imagePullSecrets hostname"
        " subdomain affinity schedulerName tolerations hostAliases priorityClassName priority dnsConfig readinessGates"
        " runtimeClassName enableServiceLinks preemptionPolicy overhead topologySpreadConstraints setHostnameAsFQDN os"
        " hostUsers schedulingGates resourceClaims resources hostnameOverride workloadRef evictionInterceptors",
        "ContainerStateWaiting": "reason message",
        "ContainerStateRunning": "startedAt",
        "ContainerStateTerminated": "exitCode signal reason message startedAt finishedAt containerID",
        "ContainerState": "waiting running terminated",
        "ContainerStatus": "name state lastState ready restartCount image imageID containerID started"
        " allocatedResources resources volumeMounts user allocatedResourcesStatus stopSignal",
        "PodCondition": "type observedGeneration status lastProbeTime lastTransitionTime reason message",
        "PodIP": "ip",
        "PodStatus": "observedGeneration phase conditions message reason nominatedNodeName hostIP hostIPs podIP podIPs"
        " startTime initContainerStatuses containerStatuses qosClass ephemeralContainerStatuses resize"
        " resourceClaimStatuses extendedResourceClaimStatus allocatedResources resources",
        "Pod": _OBJECT,
        "PodTemplateSpec": "metadata spec",
        "OnExitCodes": "containerName operator values",
        "OnPodCondition": "type status",
        "PodFailurePolicyRule": "action onExitCodes onPodConditions",
        "PodFailurePolicy": "rules",
        "SuccessPolicyRule": "succeededIndexes succeededCount",
        "SuccessPolicy": "rules",
        "JobSpec": "parallelism completions activeDeadlineSeconds podFailurePolicy successPolicy backoffLimit"
        " backoffLimitPerIndex maxFailedIndexes selector manualSelector template ttlSecondsAfterFinished"
        " completionMode suspend podReplacementPolicy managedBy",
        "Job": _OBJECT,
        "JobTemplateSpec": "metadata spec",
        "CronJobSpec": "schedule timeZone startingDeadlineSeconds concurrencyPolicy suspend jobTemplate"
        " successfulJobsHistoryLimit failedJobsHistoryLimit",
        "CronJob": _OBJECT,
        "RollingUpdate": "partition maxUnavailable maxSurge",
        "DeploymentStrategy": "type rollingUpdate",
        "SetSpec": "replicas selector template volumeClaimTemplates serviceName podManagementPolicy strategy"
        " updateStrategy minReadySeconds revisionHistoryLimit paused progressDeadlineSeconds"
        " persistentVolumeClaimRetentionPolicy ordinals",
        "Workload": _OBJECT,
        "ReplicationControllerSpec": "replicas minReadySeconds selector template",
        "ReplicationController": _OBJECT,
        "ServicePort": "name protocol appProtocol port targetPort nodePort",
        "ServiceSpec": "ports selector clusterIP clusterIPs type externalIPs sessionAffinity loadBalancerIP"
        " loadBalancerSourceRanges externalName externalTrafficPolicy healthCheckNodePort publishNotReadyAddresses"
        " sessionAffinityConfig ipFamilies ipFamilyPolicy allocateLoadBalancerNodePorts loadBalancerClass"
        " internalTrafficPolicy trafficDistribution ipFamily topologyKeys",
        "Service": _OBJECT,
        "EndpointConditions": "ready serving terminating",
        "TargetReference": "kind namespace name uid apiVersion resourceVersion fieldPath",
        "SliceEndpoint": "addresses conditions hostname targetRef deprecatedTopology nodeName zone hints topology",
        "EndpointPort": "name protocol port appProtocol",
        "EndpointSlice": "kind apiVersion metadata addressType endpoints ports",
        "Taint": "key value effect timeAdded",
        "NodeSpec": "podCIDR podCIDRs providerID taints configSource unschedulable externalID",
        "NodeCondition": "type status lastHeartbeatTime lastTransitionTime reason message",
        "NodeStatus": "capacity allocatable phase conditions addresses daemonEndpoints nodeInfo images volumesInUse"
        " volumesAttached config runtimeHandlers features declaredFeatures",
        "Node": _OBJECT,
        "Condition": "type status observedGeneration lastTransitionTime reason message",
        "PodDisruptionBudgetSpec": "minAvailable selector maxUnavailable unhealthyPodEvictionPolicy",
        "PodDisruptionBudgetStatus": "observedGeneration disruptedPods disruptionsAllowed currentHealthy"
        " desiredHealthy expectedPods conditions",
        "PodDisruptionBudget": _OBJECT,
        "PodPresetSpec": "selector env envFrom volumes volumeMounts",
        "PodPreset": "kind apiVersion metadata spec",
    }.items()
}
"""Field names by the name of the class in `podfsm.kube`."""

SETS: Mapping[str, tuple[str, ...]] = {
    kind: _split(f"selector template minReadySeconds {fields}")
    for kind, fields in {
        "Deployment": "replicas strategy revisionHistoryLimit paused progressDeadlineSeconds",
        "ReplicaSet": "replicas",
        "DaemonSet": "updateStrategy revisionHistoryLimit",
        "StatefulSet": "replicas volumeClaimTemplates serviceName podManagementPolicy updateStrategy"
        " revisionHistoryLimit persistentVolumeClaimRetentionPolicy ordinals",
    }.items()
}
"""Which of the fields of a SetSpec each kind has."""

PLACES: Mapping[str, Mapping[str, int]] = {
    name: {field: place for place, field in enumerate(fields)} for name, fields in FIELDS.items()
}
"""The place of each field in that order."""


def in_order(raw: dict[str, object], name: str) -> dict[str, object]:
    """The same object with its keys in the API's order; keys that the API does not know come last."""
    places = PLACES[name]
    return dict(sorted(raw.items(), key=lambda item: places.get(item[0], len(places))))
