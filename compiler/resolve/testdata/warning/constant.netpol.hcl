policy "constant" {
  criteria = [
    "app == 'zoom' or true",     # WARNING NP0114: Condition never changes
    "app == 'zoom' and false",   # WARNING NP0114: Condition never changes
    "app in []",                 # WARNING NP0114: Condition never changes
    "src_port >= 0",             # WARNING NP0114: Condition never changes
    "src_port > 65535",          # WARNING NP0114: Condition never changes
    "hostname contains ''",      # WARNING NP0114: Condition never changes
  ]
  label = "x"
}

policy "never" {
  criteria = "false" # WARNING NP0114: Condition never changes
  label    = "x"
}

policy "mixed" {
  criteria = [
    "app == 'zoom' && src_port == 1 || dst_port == 2",   # WARNING NP0115: Mixed and/or
    "app == 'zoom' or src_port == 1 and dst_port == 2",  # WARNING NP0115: Mixed and/or
    "app == 'zoom' or (src_port == 1 and dst_port == 2)",
  ]
  label = "x"
}
