policy "nothing" { # WARNING NP0029: Policy has no effect
  criteria = "true"
}
