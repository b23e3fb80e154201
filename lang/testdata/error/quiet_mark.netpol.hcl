netpol {
  done_mark  = "0x100"
  quiet_mark = "0x100" # ERROR NP0119: Reserved mark
}
