package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"log"
	"net/http"
	"strconv"
	"time"
)

const (
	largestBody = 1 << 20
	tolerance   = 5 * time.Minute
)

// webhook handles deliveries. Its functions are the steps of handling one.
type webhook struct {
	secret   []byte
	ledger   *ledger
	scripted *scriptedStatuses
	now      func() time.Time
	same     func(expected, signature string) bool
	decode   func(body []byte) (*event, error)
	grants   func(*event) ([]grant, error)
}

func newWebhook(secret []byte, ledger *ledger) *webhook {
	return &webhook{
		secret:   secret,
		ledger:   ledger,
		scripted: newScriptedStatuses(),
		now:      time.Now,
		same:     same,
		decode:   decode,
		grants:   (*event).grants,
	}
}

func (hook *webhook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		refuse(w, http.StatusMethodNotAllowed, "POST was expected")
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, largestBody))
	if err != nil {
		refuse(w, http.StatusBadRequest, "the body is cut short or too large")
		return
	}
	if err := hook.verify(r.Header, body); err != nil {
		refuse(w, http.StatusForbidden, err.Error())
		return
	}
	event, err := hook.decode(body)
	if err != nil {
		refuse(w, http.StatusBadRequest, err.Error())
		return
	}
	status := hook.scripted.next(event.EventData.PlayerID)
	if status < 200 || status > 299 {
		refuse(w, status, "scripted")
		return
	}
	if event.isGranted() {
		grants, err := hook.grants(event)
		if err != nil {
			refuse(w, http.StatusBadRequest, err.Error())
			return
		}
		if err := hook.ledger.grantOnce(event.IdempotencyKey, event.EventData.PlayerID, grants); err != nil {
			log.Print(err)
			refuse(w, http.StatusInternalServerError, "internal error")
			return
		}
	}
	respond(w, status, map[string]string{"status": "ok"})
}

// verify returns an error unless the body has a valid and fresh signature.
func (hook *webhook) verify(header http.Header, body []byte) error {
	signatures := header.Values("X-Aghanim-Signature")
	timestamps := header.Values("X-Aghanim-Signature-Timestamp")
	if len(signatures) != 1 || len(timestamps) != 1 {
		return errors.New("one signature and one timestamp, please")
	}
	timestamp := timestamps[0]
	seconds, err := strconv.ParseUint(timestamp, 10, 40)
	if err != nil {
		return errors.New("invalid timestamp")
	}
	mac := hmac.New(sha256.New, hook.secret)
	mac.Write([]byte(timestamp))
	mac.Write([]byte("."))
	mac.Write(body)
	if !hook.same(hex.EncodeToString(mac.Sum(nil)), signatures[0]) {
		return errors.New("invalid signature")
	}
	age := hook.now().Sub(time.Unix(int64(seconds), 0))
	if age > tolerance || age < -tolerance {
		return errors.New("the signature is no longer fresh")
	}
	return nil
}

// same compares in constant time.
func same(expected, signature string) bool {
	return hmac.Equal([]byte(expected), []byte(signature))
}

func respond(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// The sender may have disconnected, but the ledger is already updated, so a retry is safe.
	_ = json.NewEncoder(w).Encode(value)
}

func refuse(w http.ResponseWriter, status int, reason string) {
	respond(w, status, map[string]string{"error": reason})
}
