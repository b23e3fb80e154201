policy "open" {
  label    = "x"
  criteria = "true" "x" # ERROR NP0001: Invalid syntax
}

policy "still read" {
  criteria = "true"
  dscp     = "cs9" # ERROR NP0017: Invalid DSCP
}

policy "escape" {
  criteria = "hostname matches 'a\.b'" # ERROR NP0001: Invalid syntax
  label    = "x"
}
