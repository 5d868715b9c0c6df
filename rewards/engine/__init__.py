"""Pure rules of rewards.

offers        whether a reward can be claimed              patterns      codes that are made on demand
multipliers   periods in which points are multiplied       code_lines    texts with one code per line
"""
