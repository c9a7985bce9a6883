// Package openai declares the calls of the official client that the snippets make. Nothing is
// sent: a response holds what would have been.
package openai

import (
	"context"
	"encoding/json"

	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/packages/param"
)

type Response struct{ raw string }

func (r *Response) RawJSON() string { return r.raw }

type ChatCompletionMessageListParamsOrder string

const (
	ChatCompletionMessageListParamsOrderAsc  ChatCompletionMessageListParamsOrder = "asc"
	ChatCompletionMessageListParamsOrderDesc ChatCompletionMessageListParamsOrder = "desc"
)

type ChatCompletionMessageListParams struct {
	After param.Opt[string]                    `json:"after"`
	Limit param.Opt[int64]                     `json:"limit"`
	Order ChatCompletionMessageListParamsOrder `json:"order"`
}

func String(value string) param.Opt[string] { return param.Opt[string]{Value: value} }
func Int(value int64) param.Opt[int64]      { return param.Opt[int64]{Value: value} }

type ChatCompletionNewParams struct{ param.Overridden }

type MessageService struct{}

func (MessageService) List(ctx context.Context, completionID string, query ChatCompletionMessageListParams, opts ...option.RequestOption) (*Response, error) {
	text, err := json.Marshal(map[string]any{"id": completionID, "query": query})
	return &Response{string(text)}, err
}

type CompletionService struct{ Messages MessageService }

func (CompletionService) New(ctx context.Context, body ChatCompletionNewParams, opts ...option.RequestOption) (*Response, error) {
	text, err := json.Marshal(body.Value)
	return &Response{string(text)}, err
}

type ChatService struct{ Completions CompletionService }

type Client struct{ Chat ChatService }

func NewClient(opts ...option.RequestOption) Client { return Client{} }
