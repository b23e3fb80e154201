package release

import "fmt"

// Reason says why a release is refused, in a word for machines.
type Reason string

// Reasons.
const (
	Malformed    Reason = "malformed"
	TooLarge     Reason = "too-large"
	NewerFormat  Reason = "newer-format"
	Unsigned     Reason = "unsigned"
	UnknownKey   Reason = "unknown-key"
	BadSignature Reason = "bad-signature"
	WrongBundle  Reason = "wrong-bundle"
	OtherTarget  Reason = "other-target"
	Expired      Reason = "expired"
	Future       Reason = "made-in-the-future"
	Older        Reason = "older-serial"
	SameSerial   Reason = "same-serial-other-content"
)

// Refusal is the error for a release that must not be used.
type Refusal struct {
	Reason Reason
	Text   string
}

// Error is the reason in full.
func (r *Refusal) Error() string { return "release refused: " + r.Text }

func refuse(reason Reason, format string, args ...any) *Refusal {
	return &Refusal{reason, fmt.Sprintf(format, args...)}
}
