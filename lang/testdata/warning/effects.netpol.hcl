policy "nothing" { # WARNING NP0029: Policy has no effect
  criteria = "true"
}

policy "quota" {
  criteria = "true"
  quota    = "5GB" # WARNING NP0029: Policy has no effect
}

policy "only waits" { # WARNING NP0029: Policy has no effect
  criteria = "true"
  hold     = true
}
