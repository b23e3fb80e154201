policy "brands" {
  criteria = [
    "brand == 'mircosoft'",              # ERROR NP0141: Unknown brand
    "brand in ['teams', 'google-meet']", # ERROR NP0141: Unknown brand
    "brand == 'microsoft teams'",        # ERROR NP0141: Unknown brand
    "brand == 'voip'",                   # ERROR NP0141: Unknown brand
    "brand > 'microsoft'",               # ERROR NP0105: Wrong operator
  ]
  label = "x"
}

application "ours" {
  category = "web"
  brand    = "mircosoft" # ERROR NP0141: Unknown brand
}

application "part" {
  category = "web"
  brand    = "teams" # ERROR NP0142: Invalid brand
}

application "microsoft" {
  brand = "zoom" # ERROR NP0142: Invalid brand
}
