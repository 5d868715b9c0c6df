"""The engine of rules: no Django, no clock.

limits            how often a rule may fire for a participant
expression_index  which of many expressions an event may match
contradictions    expressions that can never hold
replaying         what a rule would have given, added up
"""
