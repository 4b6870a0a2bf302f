"""The settings of the messaging providers, which each provider's folder declares.

A provider is on when its secret is set.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from bot.config.setting_values import ProviderSetting

_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderSettings:
    """What the operator said of each provider. Nothing of it is printed: most are secrets."""

    #: By the setting's name, those that were given.
    values: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def __getitem__(self, setting: ProviderSetting[_Value]) -> _Value:
        """The setting's value, or its default."""
        return cast("_Value", self.values.get(setting.name, setting.default))
