"""The proof of the mapping table: every schedule, many histories, faults, erasure, and the mutants that these kill (`make prove`)."""
