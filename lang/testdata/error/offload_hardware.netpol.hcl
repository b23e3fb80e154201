netpol {
  offload_hardware = true # ERROR NP0028: Conflicting arguments
}
