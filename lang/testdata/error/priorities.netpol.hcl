netpol {
  priority         = -198 # ERROR NP0023: Number out of range
  capture_priority = -100 # ERROR NP0023: Number out of range
  dscp_priority    = 0 # ERROR NP0023: Number out of range
}
