# What people bring along from other programs.
policy "nft" { # WARNING NP0029: Policy has no effect
  criteria = "app == 'zoom'"
  action   = "drop" # ERROR NP0008: Unknown argument
}

policy "qos" { # ERROR NP0009: Missing required argument # WARNING NP0029: Policy has no effect
  when  = "app == 'zoom'" # ERROR NP0008: Unknown argument
  tos   = "0xa0" # ERROR NP0008: Unknown argument
  queue = "1:10" # ERROR NP0008: Unknown argument
}

policy "byte" {
  criteria = "app == 'zoom'"
  dscp     = "0xa0" # ERROR NP0017: Invalid DSCP
  schedule = "work"
}

schedule "work" {
  hours = "9-17" # ERROR NP0038: Invalid schedule
}
