"""Rules, verdicts, machine specs and what is made from them. Knows nothing of Kubernetes; import from its modules."""
