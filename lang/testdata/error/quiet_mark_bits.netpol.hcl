netpol {
  quiet_mark = "0x300" # ERROR NP0016: Invalid mark
}
