"""Mallory sets the gate's labels to whatever they are not, and takes the others off.

Without the defence people, and tools that read labels, believe Mallory.
"""

from attacks.world import Mutation, World

DEFENCES = (
    Mutation(
        module="core/plan/plan.py",
        old="label for label in labels if label not in merge_request.labels",
        new="label for label in labels if not any(one[:6] == label[:6] for one in merge_request.labels)",
    ),
)


def after_approval(world: World) -> None:
    """Change the labels through the API."""
    line = world.merge_request("mallory")
    swapped = {"gate::satisfied": "gate::blocked", "gate::blocked": "gate::satisfied"}
    line.labels = [swapped[name] for name in line.labels if name in swapped]
    line.save()
