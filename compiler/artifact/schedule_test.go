package artifact

import (
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // the test machine may have none
)

func TestScheduleWindows(t *testing.T) {
	const weekdays = 0b11111
	tests := []struct {
		name     string
		in       Schedule
		from, to string
		want     []string
	}{
		{
			"no restriction",
			Schedule{},
			"2026-01-05T00:00:00Z", "2026-01-07T00:00:00Z",
			[]string{"2026-01-05T00:00:00Z 2026-01-07T00:00:00Z"},
		},
		{
			"office hours",
			Schedule{Days: weekdays, Hours: []Hours{{8 * 3600, 17 * 3600}}, Zone: "Europe/Berlin"},
			"2026-01-02T00:00:00Z", "2026-01-06T00:00:00Z", // Friday to Tuesday
			[]string{"2026-01-02T07:00:00Z 2026-01-02T16:00:00Z", "2026-01-05T07:00:00Z 2026-01-05T16:00:00Z"},
		},
		{
			"past midnight belongs to the day it starts on",
			Schedule{Days: 1 << 4, Hours: []Hours{{22 * 3600, 6 * 3600}}},
			"2026-01-02T00:00:00Z", "2026-01-09T00:00:00Z",
			[]string{"2026-01-02T22:00:00Z 2026-01-03T06:00:00Z"},
		},
		{
			"begun the day before",
			Schedule{Hours: []Hours{{22 * 3600, 6 * 3600}}},
			"2026-01-02T01:00:00Z", "2026-01-02T02:00:00Z",
			[]string{"2026-01-02T01:00:00Z 2026-01-02T02:00:00Z"},
		},
		{
			"the same hour again is a whole day",
			Schedule{Days: 1, Hours: []Hours{{6 * 3600, 6 * 3600}}},
			"2026-01-05T00:00:00Z", "2026-01-08T00:00:00Z",
			[]string{"2026-01-05T06:00:00Z 2026-01-06T06:00:00Z"},
		},
		{
			"dates and exceptions",
			Schedule{Dates: []Dates{{"2026-12-24", "2026-12-27"}}, Except: []Dates{{"2026-12-26", "2026-12-26"}}},
			"2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z",
			[]string{"2026-12-24T00:00:00Z 2026-12-26T00:00:00Z", "2026-12-27T00:00:00Z 2026-12-28T00:00:00Z"},
		},
		{
			"overlapping hours are one",
			Schedule{Days: 1, Hours: []Hours{{8 * 3600, 12 * 3600}, {10 * 3600, 14 * 3600}}},
			"2026-01-05T00:00:00Z", "2026-01-06T00:00:00Z",
			[]string{"2026-01-05T08:00:00Z 2026-01-05T14:00:00Z"},
		},
		{ // 29 March 2026, 02:00 CET is 03:00 CEST
			"clocks forward",
			Schedule{Hours: []Hours{{1 * 3600, 2*3600 + 1800}, {4 * 3600, 5 * 3600}}, Zone: "Europe/Berlin"},
			"2026-03-28T23:00:00Z", "2026-03-29T12:00:00Z",
			[]string{"2026-03-29T00:00:00Z 2026-03-29T01:00:00Z", "2026-03-29T02:00:00Z 2026-03-29T03:00:00Z"},
		},
		{ // 25 October 2026, 03:00 CEST is 02:00 CET
			"clocks back",
			Schedule{Hours: []Hours{{2*3600 + 600, 2*3600 + 1800}}, Zone: "Europe/Berlin"},
			"2026-10-24T22:00:00Z", "2026-10-25T12:00:00Z",
			[]string{"2026-10-25T00:10:00Z 2026-10-25T01:30:00Z"},
		},
		{ // Sunday, 4 November 2018: the clocks go from 23:59 to 01:00, which is 03:00Z
			"no midnight",
			Schedule{Days: 1 << 6, Zone: "America/Sao_Paulo", Hours: []Hours{{0, 2 * 3600}}},
			"2018-11-03T12:00:00Z", "2018-11-05T12:00:00Z",
			[]string{"2018-11-04T03:00:00Z 2018-11-04T04:00:00Z"},
		},
		{
			"an hour that is left out",
			Schedule{Days: 1 << 6, Zone: "America/Sao_Paulo", Hours: []Hours{{0, 3600}}},
			"2018-11-03T12:00:00Z", "2018-11-05T12:00:00Z", nil,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			from, _ := time.Parse(time.RFC3339, tt.from)
			to, _ := time.Parse(time.RFC3339, tt.to)
			list, err := tt.in.Windows(from, to)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, w := range list {
				got = append(got, w.From.UTC().Format(time.RFC3339)+" "+w.To.UTC().Format(time.RFC3339))
			}
			if strings.Join(got, "\n") != strings.Join(tt.want, "\n") {
				t.Errorf("got  %v\nwant %v", got, tt.want)
			}
		})
	}
}

func TestScheduleActive(t *testing.T) {
	s := Schedule{Hours: []Hours{{18 * 3600, 22 * 3600}}, Zone: "America/New_York"}
	for at, want := range map[string]bool{
		"2026-07-01T21:59:59Z": false, "2026-07-01T22:00:00Z": true, "2026-07-02T01:59:59Z": true, "2026-07-02T02:00:00Z": false,
	} {
		when, _ := time.Parse(time.RFC3339, at)
		if got, err := s.Active(when); got != want || err != nil {
			t.Errorf("%s: got %v, %v, want %v", at, got, err, want)
		}
	}
	if _, err := (Schedule{Name: "x", Zone: "Mars/Olympus"}).Active(time.Unix(0, 0)); err == nil {
		t.Error("unknown zone: got no error")
	}
}

func TestSetAtFollowsTheClock(t *testing.T) {
	now := time.Date(2026, 1, 5, 19, 0, 0, 0, time.UTC)
	set := Set{Type: SetTime, Schedules: []Schedule{
		{Name: "evenings", Hours: []Hours{{18 * 3600, 22 * 3600}}},
		{Name: "late", Hours: []Hours{{21 * 3600, 23 * 3600}}},
	}}
	got, err := set.At(now)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(got.Elements); n != 366 && n != 367 {
		t.Errorf("elements: got %d, want one a day for a year", n)
	}
	want := []Element{{Low: nanoseconds(now), High: nanoseconds(now.Add(4*time.Hour - 1))}}
	if clipped := Clip(got.Elements, now, now.Add(12*time.Hour)); len(clipped) != 1 || !clipped[0].Equal(want[0]) {
		t.Errorf("first evening: got %v, want %v", clipped, want)
	}
}

func TestScheduleString(t *testing.T) {
	s := Schedule{
		Name: "evenings", Days: 0b11, Hours: []Hours{{18 * 3600, 23*3600 + 1800}}, Dates: []Dates{{"2026-01-01", "2026-02-01"}},
		Except: []Dates{{"2026-01-06", "2026-01-06"}}, Zone: "Europe/Berlin",
	}
	const want = "evenings: mon tue, 18:00-23:30, 2026-01-01..2026-02-01, except 2026-01-06..2026-01-06, Europe/Berlin"
	if got := s.String(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got := (Schedule{Name: "x"}).String(); got != "x: always, UTC" {
		t.Errorf("got %s", got)
	}
}
