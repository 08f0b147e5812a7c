"""The operator's command line: who was which customer, one id or a million, and the care of the record. `python -m tools.customers --help`.

who.py          who, history, account           erasing.py    erase; erasure.py and erasure_notes.py do it
lookup.py       lookup, the batch job           repair.py     repair
export.py       export                          assigning.py  assign
importing.py    import                          cli.py        the group, its options, exit codes

Below them: answers.py (rows as people read them), times.py, csv_files.py, raw_table.py, table_access.py, parallel_reads.py (rate and
back-off), scratch.py and atomic_files.py (what survives a kill), audit.py, progress.py.
"""
