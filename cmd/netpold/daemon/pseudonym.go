package daemon

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"os"
)

// machineID is what machine-id(5) wants to be used through a keyed hash alone.
const machineID = "/etc/machine-id"

// pseudonymKey makes the pseudonyms of addresses in records: the same on this
// machine each time, and nothing to those who do not know it. A machine without
// an id has others each time that netpold starts.
func pseudonymKey() (key [sha256.Size]byte) {
	id, err := os.ReadFile(machineID)
	if err != nil || len(id) < 32 {
		if _, err := rand.Read(key[:]); err != nil {
			panic(err) // crypto/rand.Read never fails
		}
		return key
	}
	mac := hmac.New(sha256.New, id)
	mac.Write([]byte("netpol: addresses in telemetry"))
	mac.Sum(key[:0])
	return key
}
