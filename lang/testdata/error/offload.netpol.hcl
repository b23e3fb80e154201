netpol {
  offload_devices = [
    "lan0",
    "lan*", # ERROR NP0121: Invalid interface name
    "lan0", # ERROR NP0011: Duplicate definition
    "averyveryverylongname", # ERROR NP0121: Invalid interface name
  ]
}

policy "what packets meet" {
  criteria   = "dst_port == 443"
  offload    = true
  dscp       = "cs1"      # ERROR NP0028: Conflicting arguments
  rate       = "1Mbit/s"  # ERROR NP0028: Conflicting arguments
  count      = true       # ERROR NP0028: Conflicting arguments
  log        = true       # ERROR NP0028: Conflicting arguments
}

policy "what never comes" {
  criteria = "dst_port == 443"
  offload  = true
  verdict  = "drop" # ERROR NP0028: Conflicting arguments
}

policy "neither tracked nor offloaded" {
  criteria = "dst_port == 443"
  offload  = true # ERROR NP0028: Conflicting arguments
  notrack  = true
}
