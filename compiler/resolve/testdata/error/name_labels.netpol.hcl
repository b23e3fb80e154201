netpol {
  label_applications = ["zom", "@nobody", "all", "our.app", "our_app", "web", "tls"] # ERROR NP0012: Unknown application # ERROR NP0012: Unknown application # ERROR NP0012: Unknown application # ERROR NP0112: Undefined group # ERROR NP0012: Unknown application # ERROR NP0140: Label name is taken
  label_categories   = ["vopi", "web", "zoom", "as-long-as-a-tag-may-be-and-too-long-for-a-label-with-a-prefix"] # ERROR NP0103: Unknown category # ERROR NP0103: Unknown category # ERROR NP0015: Invalid label name
}

application "our.app" {
  category = "web"
}

application "our_app" {
  category = "web"
}

category "as-long-as-a-tag-may-be-and-too-long-for-a-label-with-a-prefix" {
}

policy "sites" {
  criteria = "app == 'zoom'"
  label    = "cat-web" # ERROR NP0140: Label name is taken
}

policy "label_categories(web)" { # ERROR NP0011: Duplicate definition
  criteria = "app == 'teams'"
  label    = "teams"
}

policy "over" {
  criteria = "app == 'teams'"
  label    = "cat-web" # ERROR NP0140: Label name is taken
}
