netpol {
  hold_packets    = 2000         # ERROR NP0023: Number out of range
  hold_queue      = 65531        # ERROR NP0023: Number out of range
  log_group       = 70000        # ERROR NP0023: Number out of range
  log_groups      = 3            # ERROR NP0023: Number out of range
  inspect_packets = 1.5          # ERROR NP0023: Number out of range
  priority        = "high"       # ERROR NP0013: Wrong type of value
  done_mark       = "0x3"        # ERROR NP0016: Invalid mark
  local_networks  = ["10.0.0.1/8"] # ERROR NP0020: Host bits set
}

policy "labels" {
  criteria = "true"
  labels = [
    "a_b",       # ERROR NP0015: Invalid label name
    "1a",        # ERROR NP0015: Invalid label name
    "np-drop",   # ERROR NP0015: Invalid label name
    "",          # ERROR NP0015: Invalid label name
    "caf\u00e9", # ERROR NP0015: Invalid label name
    "a",
    "a", # ERROR NP0011: Duplicate definition
  ]
}

policy "two ways" {
  criteria = "true"
  label    = "a"
  labels   = ["b"] # ERROR NP0028: Conflicting arguments
}

policy "effects" {
  criteria = "true"
  mark     = "0x10/0x0f" # ERROR NP0016: Invalid mark
  dscp     = "cs8"       # ERROR NP0017: Invalid DSCP
  verdict  = "rejct"     # ERROR NP0018: Invalid verdict
}

policy "more effects" {
  criteria = "true"
  mark     = 4294967296 # ERROR NP0016: Invalid mark
  dscp     = 64         # ERROR NP0017: Invalid DSCP
  enabled  = "maybe"    # ERROR NP0013: Wrong type of value
}

policy "mask" {
  criteria = "true"
  mark     = "1/0" # ERROR NP0016: Invalid mark
}

policy "criteria" {
  criteria = [
    "",                       # ERROR NP0033: Empty criteria
    "app == '${local.name}'", # ERROR NP0032: Template in criteria
    "${local.name}",          # ERROR NP0032: Template in criteria
    "%{if true}a%{endif}",    # ERROR NP0032: Template in criteria
    {},                       # ERROR NP0013: Wrong type of value
  ]
  exempt = [] # ERROR NP0033: Empty criteria
  label  = "a"
}

policy "no quotes" {
  criteria = len(hostname) > 1 && dst_port == 443 # ERROR NP0024: Invalid expression
  verdict  = "block"                              # ERROR NP0018: Invalid verdict
}

policy "object" {
  criteria = { a = 1 } # ERROR NP0013: Wrong type of value
  label    = "a"
}

locals {
  name   = "zoom"
  a      = local.b
  b      = local.c # ERROR NP0027: Circular locals
  c      = local.b
  typo   = local.nam # ERROR NP0024: Invalid expression
  typo2  = var.nme # ERROR NP0024: Invalid expression
  other  = nothing # ERROR NP0024: Invalid expression
  all    = local # ERROR NP0024: Invalid expression
  which  = local[var.name] # ERROR NP0024: Invalid expression
  index  = local["name"]
  fn     = uper("x") # ERROR NP0024: Invalid expression
  broken = 1 + "x" # ERROR NP0024: Invalid expression
}

locals {
  name = "teams" # ERROR NP0011: Duplicate definition
}

variable "name" { # ERROR NP0026: Variable without a value
}

variable "name" { # ERROR NP0011: Duplicate definition
}

variable "kind" {
  type    = "sting" # ERROR NP0031: Invalid variable type
  default = "a"
}

variable "number" {
  type    = number
  default = "a" # ERROR NP0013: Wrong type of value
}

variable "empty" {
  default = null # ERROR NP0013: Wrong type of value
}

variable "1" { # ERROR NP0014: Invalid name
}

policy "follow-on" {
  criteria = local.typo
  label    = local.a
}

policy "null" {
  criteria = [null] # ERROR NP0013: Wrong type of value
  exempt   = null   # ERROR NP0013: Wrong type of value
  labels   = [null] # ERROR NP0013: Wrong type of value
  dscp     = null
}
