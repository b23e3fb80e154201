netpol {
  log_group  = 65534
  log_groups = 4 # ERROR NP0023: Number out of range
}
