// Package game stands for your game: a sound receiver of coupon.redeemed, with inventories in memory.
//
// GAME_BUG shows how tests fail: grants_again ignores the idempotency key, wrong_secret is a mistake in
// the set-up.
package game

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"strconv"
	"sync"
	"time"
)

const tolerance = 5 * time.Minute

type item struct {
	SKU         string `json:"sku"`
	Quantity    int64  `json:"quantity"`
	Type        string `json:"type"`
	NestedItems []item `json:"nested_items"`
}

type event struct {
	EventType      string  `json:"event_type"`
	IdempotencyKey string  `json:"idempotency_key"`
	Sandbox        bool    `json:"sandbox"`
	Trigger        *string `json:"trigger"`
	EventData      struct {
		PlayerID string `json:"player_id"`
		Item     item   `json:"item"`
		Items    []item `json:"items"`
	} `json:"event_data"`
}

type holding struct{ playerID, sku string }

// Game is the game's HTTP API.
type Game struct {
	http.ServeMux
	secret    []byte
	mutex     sync.Mutex // guards what follows
	granted   map[string]bool
	inventory map[holding]int64
}

// New returns a game whose webhook has this secret.
func New(secret string) *Game {
	if os.Getenv("GAME_BUG") == "wrong_secret" {
		secret = "another"
	}
	game := &Game{secret: []byte(secret), granted: map[string]bool{}, inventory: map[holding]int64{}}
	game.HandleFunc("/webhooks/aghanim", game.webhook)
	game.HandleFunc("/debug/quantity", game.quantity)
	return game
}

func (game *Game) webhook(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
	if err != nil {
		http.Error(w, "the body is cut short or too large", http.StatusBadRequest)
		return
	}
	if !game.isGenuine(r.Header, body) {
		http.Error(w, "invalid signature", http.StatusForbidden)
		return
	}
	var event event
	if err := json.Unmarshal(body, &event); err != nil {
		http.Error(w, "not an event", http.StatusBadRequest)
		return
	}
	isTest := event.Trigger != nil && *event.Trigger == "test"
	if event.EventType == "coupon.redeemed" && !event.Sandbox && !isTest {
		game.grantOnce(&event)
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, `{"status":"ok"}`)
}

func (game *Game) isGenuine(header http.Header, body []byte) bool {
	signatures, timestamps := header.Values("X-Aghanim-Signature"), header.Values("X-Aghanim-Signature-Timestamp")
	if len(signatures) != 1 || len(timestamps) != 1 {
		return false
	}
	seconds, err := strconv.ParseUint(timestamps[0], 10, 40)
	age := time.Since(time.Unix(int64(seconds), 0))
	if err != nil || age > tolerance || age < -tolerance {
		return false
	}
	mac := hmac.New(sha256.New, game.secret)
	mac.Write([]byte(timestamps[0] + "."))
	mac.Write(body)
	return hmac.Equal([]byte(hex.EncodeToString(mac.Sum(nil))), []byte(signatures[0]))
}

func (game *Game) grantOnce(event *event) {
	game.mutex.Lock()
	defer game.mutex.Unlock()
	if game.granted[event.IdempotencyKey] && os.Getenv("GAME_BUG") != "grants_again" {
		return
	}
	game.granted[event.IdempotencyKey] = true
	items := event.EventData.Items
	if len(items) == 0 {
		items = []item{event.EventData.Item}
	}
	game.add(event.EventData.PlayerID, items, 1)
}

// add opens bundles.
func (game *Game) add(playerID string, items []item, times int64) {
	for _, item := range items {
		if item.Type == "bundle" && len(item.NestedItems) > 0 {
			game.add(playerID, item.NestedItems, times*item.Quantity)
		} else {
			game.inventory[holding{playerID, item.SKU}] += times * item.Quantity
		}
	}
}

func (game *Game) quantity(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	game.mutex.Lock()
	defer game.mutex.Unlock()
	quantity := game.inventory[holding{query.Get("player"), query.Get("sku")}]
	_ = json.NewEncoder(w).Encode(map[string]int64{"quantity": quantity})
}
