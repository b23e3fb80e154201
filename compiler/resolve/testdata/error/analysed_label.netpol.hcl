netpol {
  label_categories = "web"
  analysed_label   = "cat-web" # ERROR NP0140: Label name is taken
}

policy "over" {
  criteria = "app == 'teams'"
  label    = "cat-web" # ERROR NP0140: Label name is taken # ERROR NP0140: Label name is taken
}
