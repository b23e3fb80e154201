policy "kinds" {
  for_each = "zoom" # ERROR NP0013: Wrong type of value
  criteria = "app == ${each.value}"
  label    = "a"
}

policy "null" {
  for_each = null # ERROR NP0013: Wrong type of value
  criteria = "app == ${each.value}"
  label    = "a"
}

policy "objects" {
  for_each = [{ a = 1 }] # ERROR NP0013: Wrong type of value
  criteria = "app == ${each.value}"
  label    = "a"
}

policy "twice" {
  for_each = ["a", "a"] # ERROR NP0011: Duplicate definition
  criteria = "hostname == ${each.value}"
  label    = "a"
}

policy "names" {
  for_each = ["a", "b\"; drop"] # ERROR NP0014: Invalid name
  criteria = "hostname == ${each.value}"
  label    = "a"
}

policy "outside" {
  criteria = "hostname == ${each.value}" # ERROR NP0024: Invalid expression
  label    = "a"
}

policy "itself" {
  for_each = each.value # ERROR NP0024: Invalid expression
  criteria = "true"
  label    = "a"
}

policy "parts" {
  for_each = ["a", "b", "c"]
  criteria = "hostname == ${each.vale}" # ERROR NP0024: Invalid expression
  label    = "a_${each.key}"            # ERROR NP0015: Invalid label name # ERROR NP0015: Invalid label name # ERROR NP0015: Invalid label name
  dscp     = "cs9"                      # ERROR NP0017: Invalid DSCP
}

policy "constants" {
  for_each = { a = { b = 1 } }
  criteria = [
    "hostname == ${each.value}",            # ERROR NP0032: Template in criteria
    "hostname in ${[["a"]]}",               # ERROR NP0032: Template in criteria
    "hostname in ${[null]}",                # ERROR NP0032: Template in criteria
    "src_port == ${1e90}",                  # ERROR NP0032: Template in criteria
    "hostname == '${each.key}'",            # ERROR NP0032: Template in criteria
    "hostname == \"${each.key}\" or true",  # ERROR NP0032: Template in criteria
    "hostname == `${each.key}`",            # ERROR NP0032: Template in criteria
    "%{for x in ["a"]}true%{endfor}",       # ERROR NP0032: Template in criteria
    "true%{if true} and ${each.key}%{endif}", # ERROR NP0032: Template in criteria
    local.pasted,                           # ERROR NP0032: Template in criteria
    join(" or ", ["app == 'zoom'", "true"]), # ERROR NP0032: Template in criteria
    local.whole,
  ]
  label = "a"
}

locals {
  pasted = "app == '${local.whole}'"
  whole  = "app == 'zoom'"
}
