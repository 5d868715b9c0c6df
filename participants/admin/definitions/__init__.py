"""The console pages of every kind of definition: a list, and a form that the API's bodies validate. There is no delete.

class TierForm(DefinitionForm):
    create_body, update_body = NewTier, TierChanges
    level = IntegerField(...)

@admin.register(Tier)
class TierAdmin(DefinitionAdmin):
    noun, form, columns = "tier", TierForm, ("level",)

    def own_fieldsets(self, obj): return (("How it is reached", {"fields": ("level", ...)}), SHOWN)
    def in_words(self, row): return f"Level {row.level}."
"""

from participants.admin.definitions.forms import DefinitionForm, color_field, picture_field
from participants.admin.definitions.pages import SHOWN, DefinitionAdmin

__all__ = ["SHOWN", "DefinitionAdmin", "DefinitionForm", "color_field", "picture_field"]
