netpol {
  timezone = "Berlin" # ERROR NP0039: Unknown time zone
}

schedule "2nd" { # ERROR NP0014: Invalid name
}

schedule "days" {
  days = ["mon", "fry", "daily", "mon-weekend", ""] # ERROR NP0038: Invalid schedule # ERROR NP0038: Invalid schedule # ERROR NP0038: Invalid schedule # ERROR NP0038: Invalid schedule
}

schedule "hours" {
  hours = [
    "18-23",       # ERROR NP0038: Invalid schedule
    "18:00-25:00", # ERROR NP0038: Invalid schedule
    "18:61-19:00", # ERROR NP0038: Invalid schedule
    "18:00-18:00", # ERROR NP0038: Invalid schedule
    "24:00-06:00", # ERROR NP0038: Invalid schedule
    "00:00-00:00", # ERROR NP0038: Invalid schedule
    "18:00..23:00", # ERROR NP0038: Invalid schedule
    null,          # ERROR NP0013: Wrong type of value
  ]
}

schedule "dates" {
  dates  = ["2026-02-30", "24.12.2026", "2026-1-1", "0000-01-01"] # ERROR NP0038: Invalid schedule # ERROR NP0038: Invalid schedule # ERROR NP0038: Invalid schedule # ERROR NP0038: Invalid schedule
  except = ["2027-01-06..2026-12-24", "2026-05-01.."] # ERROR NP0038: Invalid schedule # ERROR NP0038: Invalid schedule
}

schedule "never" {
  days  = [] # ERROR NP0041: Empty list
  hours = [for h in [] : h] # ERROR NP0041: Empty list
}

schedule "zone" {
  timezone = "Local" # ERROR NP0039: Unknown time zone
}

schedule "zone-out-of-the-way" {
  timezone = "../../etc/passwd" # ERROR NP0039: Unknown time zone
}

schedule "zone-case" {
  timezone = "europe/berlin" # ERROR NP0039: Unknown time zone
}

schedule "zone-case" { # ERROR NP0011: Duplicate definition
  day = "mon"          # ERROR NP0008: Unknown argument
}

policy "fails" {
  criteria = "true"
  verdict  = "accept"
  on_fail  = "closed" # ERROR NP0028: Conflicting arguments
}

policy "fails-without" {
  criteria = "true"
  label    = "a"
  on_fail  = "open" # ERROR NP0028: Conflicting arguments
}

policy "fails-how" {
  criteria = "true"
  verdict  = "drop"
  on_fail  = "close" # ERROR NP0040: Invalid on_fail
}

policy "overload" {
  criteria    = "true"
  verdict     = "drop"
  on_overload = "Open" # ERROR NP0048: Invalid on_overload
}

policy "overload-without" {
  criteria    = "true"
  dscp        = "cs1"
  on_overload = "closed" # ERROR NP0028: Conflicting arguments
}

policy "fails-misspelt" {
  criteria = "true"
  verdikt  = "drop" # ERROR NP0008: Unknown argument
  on_fail  = "closed"
}

policy "nowhere" {
  criteria  = "true"
  label     = "a"
  interface = [] # ERROR NP0041: Empty list
  schedule  = [] # ERROR NP0041: Empty list
}

policy "wrong-types" {
  criteria = "true"
  label    = "a"
  audit    = "sometimes"    # ERROR NP0013: Wrong type of value
  schedule = { name = "a" } # ERROR NP0013: Wrong type of value
}
