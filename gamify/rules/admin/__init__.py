"""Rules in the console.

rules       the list and the pages          forms       the form, validated by the bodies of the API
conditions  expressions as rows             trying      what an event would earn, and why
what_if     a rule over past events         words       rules in words
"""

from gamify.rules.admin import rules

__all__ = ["rules"]
