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
	clock    *clock
	readBody func(http.ResponseWriter, *http.Request) ([]byte, error)
	signed   func(body []byte) []byte
	same     func(expected, signature string) bool
	signedAt func(seconds uint64) time.Time
	decode   func(body []byte) (*event, error)
	grants   func(*event) ([]grant, error)
	grant    func(key, playerID string, grants []grant) error
	process  func(*event) (status int, err error)
}

func newWebhook(secret []byte, ledger *ledger) *webhook {
	hook := &webhook{
		secret:   secret,
		ledger:   ledger,
		scripted: newScriptedStatuses(),
		clock:    &clock{},
		readBody: readBody,
		signed:   func(body []byte) []byte { return body },
		same:     same,
		signedAt: func(seconds uint64) time.Time { return time.Unix(int64(seconds), 0) },
		decode:   decode,
		grants:   (*event).grants,
		grant:    ledger.grantOnce,
	}
	hook.process = hook.grantEvent
	return hook
}

func (hook *webhook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		refuse(w, http.StatusMethodNotAllowed, "POST was expected")
		return
	}
	body, err := hook.readBody(w, r)
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
	status, err := hook.process(event)
	if err != nil {
		refuse(w, status, err.Error())
		return
	}
	respond(w, status, map[string]string{"status": "ok"})
}

// grantEvent grants an event and returns the status of the response, with an error if it is refused.
func (hook *webhook) grantEvent(event *event) (int, error) {
	status := hook.scripted.next(event.EventData.PlayerID)
	if status < 200 || status > 299 {
		return status, errors.New("scripted")
	}
	if !event.isGranted() {
		return status, nil
	}
	event.useFallbacks(func(sku string) bool { return hook.ledger.hasRoom(event.EventData.PlayerID, sku) })
	grants, err := hook.grants(event)
	if err != nil {
		return http.StatusBadRequest, err
	}
	err = hook.grant(event.IdempotencyKey, event.EventData.PlayerID, grants)
	if errors.Is(err, errNoRoom) {
		return http.StatusConflict, err
	}
	if err != nil {
		log.Print(err)
		return http.StatusInternalServerError, errors.New("internal error")
	}
	return status, nil
}

func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	return io.ReadAll(http.MaxBytesReader(w, r.Body, largestBody))
}

// verify returns an error unless the body has a valid and fresh signature.
func (hook *webhook) verify(header http.Header, body []byte) error {
	signatures := header.Values("X-Aghanim-Signature")
	timestamps := header.Values("X-Aghanim-Signature-Timestamp")
	if len(signatures) != 1 || len(timestamps) != 1 {
		return errors.New("one signature and one timestamp, please")
	}
	timestamp := timestamps[0]
	seconds, err := strconv.ParseUint(timestamp, 10, 48)
	if err != nil {
		return errors.New("invalid timestamp")
	}
	mac := hmac.New(sha256.New, hook.secret)
	mac.Write([]byte(timestamp))
	mac.Write([]byte("."))
	mac.Write(hook.signed(body))
	if !hook.same(hex.EncodeToString(mac.Sum(nil)), signatures[0]) {
		return errors.New("invalid signature")
	}
	age := hook.clock.now().Sub(hook.signedAt(seconds))
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
