package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/bits"
	"unicode/utf8"
)

// event has all documented keys, although few of them affect the grant.
type event struct {
	EventType      string          `json:"event_type"`
	EventData      eventData       `json:"event_data"`
	EventTime      json.Number     `json:"event_time"`
	EventID        string          `json:"event_id"`
	IdempotencyKey string          `json:"idempotency_key"`
	RequestID      *string         `json:"request_id"`
	Sandbox        bool            `json:"sandbox"`
	Trigger        *string         `json:"trigger"`
	TransactionID  string          `json:"transaction_id"`
	Context        json.RawMessage `json:"context"`
	GameID         string          `json:"game_id"`
}

type eventData struct {
	PlayerID string `json:"player_id"`
	Coupon   coupon `json:"coupon"`
	Item     *item  `json:"item"`
	Items    []item `json:"items"`
}

type coupon struct {
	Code       string      `json:"code"`
	SKU        string      `json:"sku"`
	RedeemedAt json.Number `json:"redeemed_at"`
}

// item is an item or a nested item; the latter has neither price nor fallback.
type item struct {
	ID           string      `json:"id"`
	Name         string      `json:"name"`
	Description  *string     `json:"description"`
	SKU          string      `json:"sku"`
	Quantity     *int64      `json:"quantity"`
	Price        json.Number `json:"price"`
	PriceDecimal json.Number `json:"price_decimal"`
	Currency     *string     `json:"currency"`
	Type         string      `json:"type"`
	NestedItems  []item      `json:"nested_items"`
	FallbackItem *item       `json:"fallback_item"`
}

// grant is a quantity of an SKU.
type grant struct {
	SKU      string `json:"sku"`
	Quantity int64  `json:"quantity"`
}

func decode(body []byte) (*event, error) {
	// encoding/json would replace invalid UTF-8 with replacement characters.
	if !utf8.Valid(body) {
		return nil, errors.New("not UTF-8")
	}
	// The type first: other event types may have other keys.
	var envelope struct {
		EventType string `json:"event_type"`
	}
	if err := json.Unmarshal(body, &envelope); err != nil {
		return nil, err
	}
	if envelope.EventType != "coupon.redeemed" {
		return nil, fmt.Errorf("unknown event type %q", envelope.EventType)
	}
	var decoded event
	if err := json.Unmarshal(body, &decoded); err != nil {
		return nil, err
	}
	if decoded.IdempotencyKey == "" || decoded.EventData.PlayerID == "" {
		return nil, errors.New("idempotency_key and player_id were expected")
	}
	return &decoded, nil
}

func (e *event) isGranted() bool {
	return !e.Sandbox && (e.Trigger == nil || *e.Trigger != "test")
}

func (e *event) grants() ([]grant, error) {
	items := e.EventData.Items
	if len(items) == 0 {
		if e.EventData.Item == nil {
			return nil, errors.New("an item was expected")
		}
		items = []item{*e.EventData.Item}
	}
	return leaves(nil, items, 1)
}

// useFallbacks replaces each item by its fallback if there is no room for it.
func (e *event) useFallbacks(hasRoom func(sku string) bool) {
	if e.EventData.Item != nil {
		e.EventData.Item = e.EventData.Item.orFallback(hasRoom)
	}
	for i := range e.EventData.Items {
		e.EventData.Items[i] = *e.EventData.Items[i].orFallback(hasRoom)
	}
}

func (i *item) orFallback(hasRoom func(sku string) bool) *item {
	if i.FallbackItem == nil {
		return i
	}
	grants, _ := leaves(nil, []item{*i}, 1)
	for _, grant := range grants {
		if !hasRoom(grant.SKU) {
			return i.FallbackItem.orFallback(hasRoom)
		}
	}
	return i
}

// leaves appends what items grant; a bundle grants its innermost items.
func leaves(grants []grant, items []item, times int64) ([]grant, error) {
	for _, item := range items {
		if item.SKU == "" || item.Quantity == nil || *item.Quantity < 0 {
			return nil, errors.New("an SKU and a quantity were expected")
		}
		high, low := bits.Mul64(uint64(times), uint64(*item.Quantity))
		quantity := int64(low)
		if high != 0 || quantity < 0 {
			return nil, errors.New("the quantity is too large")
		}
		if item.Type != "bundle" || len(item.NestedItems) == 0 {
			grants = append(grants, grant{item.SKU, quantity})
			continue
		}
		var err error
		if grants, err = leaves(grants, item.NestedItems, quantity); err != nil {
			return nil, err
		}
	}
	return grants, nil
}
