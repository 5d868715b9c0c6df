"""Pure rules about rules.

limits          how often one may fire for a participant
contradictions  expressions that can never hold
replaying       what one would have given, counted
"""
