policy "quotes in quotes" {
  criteria = "app == "zoom"" # ERROR NP0001: Invalid syntax
  label    = "x"
}
