policy "too much beside it" {
  criteria  = "dst_port == 53"
  notrack   = true
  label     = "dns" # ERROR NP0028: Conflicting arguments
  count     = true # ERROR NP0028: Conflicting arguments
  interface = "lan0" # ERROR NP0028: Conflicting arguments
  schedule  = "nights" # ERROR NP0028: Conflicting arguments
  add       = "hosts" # ERROR NP0028: Conflicting arguments
}

policy "no flag" {
  criteria = "dst_port == 53"
  notrack  = "often" # ERROR NP0013: Wrong type of value
}

policy "audited" {
  criteria = "dst_port == 53"
  notrack  = true
  audit    = true
}
