policy "order" {
  criteria  = "true"
  order     = 1.5   # ERROR NP0023: Number out of range
  halt      = "yes" # ERROR NP0013: Wrong type of value
  interface = { a = 1 } # ERROR NP0013: Wrong type of value
  label     = "a"
}

policy "nothing" { # WARNING NP0029: Policy has no effect
  criteria = "true"
  halt     = false
}

policy "lone" {
  criteria  = "true"
  interface = [null] # ERROR NP0013: Wrong type of value
  halt      = true
}
