"""Mallory sets the gate's labels to whatever they are not, and takes the others off.

Without the defence people, and tools that read labels, believe Mallory.
"""

from attacks.world import World


def after_approval(world: World) -> None:
    """Change the labels through the API."""
    line = world.merge_request("mallory")
    swapped = {"gate::satisfied": "gate::blocked", "gate::blocked": "gate::satisfied"}
    line.labels = [swapped[name] for name in line.labels if name in swapped]
    line.save()
