# A school: lessons, breaks and holidays, pupils and staff.

netpol {
  timezone = "Europe/Berlin"
  exempt   = "src_ip in '10.20.0.0/24'" # administrators
}

address_group "pupils" {
  members = ["10.20.16.0/20", "2001:db8:20:10::/60"]
}

address_group "staff" {
  members = ["10.20.8.0/22"]
}

application_group "learning" {
  applications = ["coursera", "duolingo", "zoom"]
}

schedule "lessons" {
  days   = ["weekdays"]
  hours  = ["08:00-09:30", "09:50-11:20", "11:40-13:10"]
  except = ["2026-12-21..2027-01-05"]
}

schedule "breaks" {
  days  = ["weekdays"]
  hours = ["09:30-09:50", "11:20-11:40"]
}

policy "learning-first" {
  description = "What lessons are held with"
  criteria    = "app in '@learning' || category == 'education'"
  dscp        = "af31"
}

policy "no-games-in-lessons" {
  criteria = "local_ip in '@pupils' && category == 'games'"
  schedule = "lessons"
  verdict  = "reject"
}

policy "no-films-for-pupils" {
  criteria = "local_ip in '@pupils' && category == 'streaming-media'"
  exempt   = "schedule == 'breaks'"
  verdict  = "reject"
}

policy "never-for-pupils" {
  criteria = "local_ip in '@pupils' && category in ['adult', 'gambling', 'dating']"
  verdict  = "reject"
}

policy "staff-calls" {
  criteria = "local_ip in '@staff' && category == 'voip-conferencing'"
  dscp     = "ef"
}
