"""The commands of `python -m tools.simulator`.

serving         run: the page, until Ctrl-C
acting          what a customer does: enable, link, say, disable; how events are brought
adjusting       what is switched on a running simulator
telling         story, replay
playing         the simulator that a command acts on: the running one, or one of its own
running         where the running one is, and how it is spoken to
setting_up      the options of a simulator; showing: what commands print
"""
