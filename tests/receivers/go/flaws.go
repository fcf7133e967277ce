package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"log"
	"net/http"
	"sort"
	"strings"
	"sync"
	"time"
)

// flaws are mistakes that are typical of Go handlers. Each replaces a step of the sound receiver.
// Do not copy this code.
var flaws = map[string]func(*webhook){
	"prefix-compared":        func(hook *webhook) { hook.same = strings.HasPrefix },
	"narrow-quantities":      func(hook *webhook) { hook.grants = narrowGrants },
	"unknown-fields-refused": func(hook *webhook) { hook.decode = strictDecode },
	"body-limited":           func(hook *webhook) { hook.readBody = readLimitedBody },
	"length-required":        func(hook *webhook) { hook.readBody = readAnnouncedBody },
	"read-once":              func(hook *webhook) { hook.readBody = readBodyOnce },
	"body-compacted":         func(hook *webhook) { hook.signed = compacted },
	"milliseconds-guessed":   func(hook *webhook) { hook.signedAt = guessedTime },
	"items-ignored":          func(hook *webhook) { hook.grants = itemGrants },
	"map-by-sku":             func(hook *webhook) { hook.grants = grantsBySKU },
	"keys-truncated":         func(hook *webhook) { hook.decode = truncatedKeys },
	"players-folded":         foldPlayers,
	"one-key-table":          recordAllKeys,
	"goroutine-granted":      grantInGoroutine,
	"pending-acknowledged":   acknowledgePending,
}

// callDuration is the duration of a call to another service.
const callDuration = 200 * time.Millisecond

// readLimitedBody cuts a body after 64 KiB, without an error.
func readLimitedBody(_ http.ResponseWriter, r *http.Request) ([]byte, error) {
	return io.ReadAll(io.LimitReader(r.Body, 64<<10))
}

// readAnnouncedBody panics without Content-Length, since the length is then -1.
func readAnnouncedBody(_ http.ResponseWriter, r *http.Request) ([]byte, error) {
	body := make([]byte, r.ContentLength)
	_, err := io.ReadFull(r.Body, body)
	return body, err
}

// readBodyOnce takes what the first Read returns for the whole body.
func readBodyOnce(_ http.ResponseWriter, r *http.Request) ([]byte, error) {
	body := make([]byte, largestBody)
	n, err := r.Body.Read(body)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return body[:n], err
}

// compacted returns what most senders sign, but not all.
func compacted(body []byte) []byte {
	var compact bytes.Buffer
	if err := json.Compact(&compact, body); err != nil {
		return body
	}
	return compact.Bytes()
}

// guessedTime takes a large number for milliseconds.
func guessedTime(seconds uint64) time.Time {
	if seconds > 100_000_000_000 {
		return time.UnixMilli(int64(seconds))
	}
	return time.Unix(int64(seconds), 0)
}

// itemGrants knows only `item`.
func itemGrants(e *event) ([]grant, error) {
	e.EventData.Items = nil
	return e.grants()
}

// grantsBySKU keeps only the last quantity of an SKU that occurs twice.
func grantsBySKU(e *event) ([]grant, error) {
	all, err := e.grants()
	quantities := map[string]int64{}
	for _, grant := range all {
		quantities[grant.SKU] = grant.Quantity
	}
	grants := make([]grant, 0, len(quantities))
	for sku, quantity := range quantities {
		grants = append(grants, grant{sku, quantity})
	}
	return grants, err
}

// truncatedKeys stores keys in a column of 64 characters.
func truncatedKeys(body []byte) (*event, error) {
	decoded, err := decode(body)
	if err == nil && len(decoded.IdempotencyKey) > 64 {
		decoded.IdempotencyKey = decoded.IdempotencyKey[:64]
	}
	return decoded, err
}

// foldPlayers finds players as MySQL does by default, without regard to case.
func foldPlayers(hook *webhook) {
	var first sync.Map
	hook.decode = func(body []byte) (*event, error) {
		decoded, err := decode(body)
		if err == nil {
			id := decoded.EventData.PlayerID
			found, _ := first.LoadOrStore(strings.ToLower(id), id)
			decoded.EventData.PlayerID = found.(string)
		}
		return decoded, err
	}
}

// recordAllKeys records the keys of all event types in one table before it looks at the type.
func recordAllKeys(hook *webhook) {
	hook.decode = func(body []byte) (*event, error) {
		decoded, err := decode(body)
		var other event
		if err != nil && json.Unmarshal(body, &other) == nil && other.IdempotencyKey != "" {
			if storing := hook.ledger.grantOnce(other.IdempotencyKey, "", nil); storing != nil {
				return nil, storing
			}
		}
		return decoded, err
	}
}

// grantInGoroutine responds before it grants, and a restart ends the goroutine.
func grantInGoroutine(hook *webhook) {
	hook.grant = func(key, playerID string, grants []grant) error {
		go func() {
			time.Sleep(callDuration)
			if err := hook.ledger.grantOnce(key, playerID, grants); err != nil {
				log.Print(err)
			}
		}()
		return nil
	}
}

// acknowledgePending responds with 2xx while another delivery with the same key is in progress,
// although that one can still fail.
func acknowledgePending(hook *webhook) {
	var pending sync.Map
	hook.process = func(e *event) (int, error) {
		if _, isPending := pending.LoadOrStore(e.IdempotencyKey, true); isPending {
			return http.StatusOK, nil
		}
		defer pending.Delete(e.IdempotencyKey)
		time.Sleep(callDuration)
		return hook.grantEvent(e)
	}
}

// narrowGrants stores quantities as int32, like an `integer` column.
func narrowGrants(e *event) ([]grant, error) {
	grants, err := e.grants()
	for i := range grants {
		grants[i].Quantity = int64(int32(grants[i].Quantity))
	}
	return grants, err
}

// strictDecode refuses keys that are not documented.
func strictDecode(body []byte) (*event, error) {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	var strict event
	if err := decoder.Decode(&strict); err != nil {
		return nil, err
	}
	return decode(body)
}

func flawNames() string {
	names := make([]string, 0, len(flaws))
	for name := range flaws {
		names = append(names, name)
	}
	sort.Strings(names)
	return strings.Join(names, ", ")
}
