"""Conversations written down in YAML, with what is expected of each step.

stories         a whole story: found, read, played on a simulation of its own
story_text      its YAML, read strictly; durations, moments
steps           what each step may be; scene is what it is played on, look_ups are the steps that only ask
expectations    which expectations there are: answers_expected, state_expected, rows_expected; seen is what they look at
transcript      what is printed meanwhile
"""
