policy "second" {
  criteria  = "true"
  interface = "lan0"
  label     = "a"
}

policy "third" {
  criteria  = "true"
  interface = ["lan0", "lan1"]
  halt      = true
}

policy "first" {
  criteria = "true"
  order    = -5
  label    = "a"
}
