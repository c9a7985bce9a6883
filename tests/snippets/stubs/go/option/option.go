// Package option declares the options of requests that the snippets use.
package option

type RequestOption func()

func WithBaseURL(base string) RequestOption       { return func() {} }
func WithQuery(key, value string) RequestOption   { return func() {} }
func WithHeader(key, value string) RequestOption  { return func() {} }
