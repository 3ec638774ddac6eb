"""Pods as frozen worlds, and `step`, which takes a world and an event to the next world."""
