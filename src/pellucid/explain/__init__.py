"""Where every number comes from: traces of a run, and single cells written out."""
