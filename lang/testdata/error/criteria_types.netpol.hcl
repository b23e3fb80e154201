locals {
  port = 443
}

policy "number" {
  criteria = 5 # ERROR NP0013: Wrong type of value
  label    = "a"
}

policy "bool" {
  criteria = true # ERROR NP0013: Wrong type of value
  label    = "a"
}

policy "list" {
  criteria = ["true", 5, ["true"], null, local.port] # ERROR NP0013: Wrong type of value # ERROR NP0013: Wrong type of value # ERROR NP0013: Wrong type of value # ERROR NP0013: Wrong type of value
  label    = "a"
}

policy "object" {
  criteria = { a = 1 } # ERROR NP0013: Wrong type of value
  exempt   = local.port # ERROR NP0013: Wrong type of value
  label    = "a"
}
