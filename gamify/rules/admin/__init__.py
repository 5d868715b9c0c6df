"""Rules in the console: their list and pages, and events that are tried on them.

rules       the list and the pages          forms       the form, judged by the bodies of the API
conditions  expressions as rows             trying      what an event would earn, and why
what_if     a rule over past events         words       how rules are said to people
"""

from gamify.rules.admin import rules

__all__ = ["rules"]
