"""The names behind ids, for whoever renders mentions."""

from sandbox.workspace_state import World


def names(world: World) -> dict[str, str]:
    return {
        **{person.id: person.handle for person in world.people.values()},
        **{channel.id: channel.name for channel in world.channels.values()},
        **{group.id: group.handle for group in world.groups.values()},
    }
