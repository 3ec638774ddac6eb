"""The cluster around the Pods: nodes, the scheduler and the controllers, as one frozen world beside theirs.

`state` holds what the API server stores besides Pods, with its indexes and the controllers' work queues. `desk` is
what a controller works at during one step: it reads the world, acts on Pods and objects, and asks to be called again.
`watch` tells the controllers what changed. Each controller is a module with a function that brings one object closer
to what it asks for; whom `drive` calls when. Like everything in `world` this is pure: a step takes a world and gives
a new one. It has to be cheap all the same when the cluster is large: queues are values that share what has not changed
(`heap`), and what was worked out of all nodes is remembered and renewed where uses have changed (`traced`, `survey`).
"""
