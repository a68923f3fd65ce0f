package main

import (
	"bytes"
	"fmt"
	"net/http"
	"reflect"
	"strings"

	"github.com/vmware/govmomi/vim25/types"
	"github.com/vmware/govmomi/vim25/xml"
)

type envelope struct {
	XMLName xml.Name    `xml:"soapenv:Envelope"`
	Env     string      `xml:"xmlns:soapenv,attr"`
	XSD     string      `xml:"xmlns:xsd,attr"`
	XSI     string      `xml:"xmlns:xsi,attr"`
	Body    interface{} `xml:"soapenv:Body"`
}

// answer writes the response object of a method (types.StartServiceResponse).
type answer struct{ value interface{} }

// MarshalXML puts the response into the API's namespace, below the body.
func (it answer) MarshalXML(encoder *xml.Encoder, start xml.StartElement) error {
	inner := xml.StartElement{
		Name: xml.Name{Space: "urn:vim25", Local: reflect.TypeOf(it.value).Elem().Name()},
	}
	if err := encoder.EncodeToken(start); err != nil {
		return err
	}
	if err := encoder.EncodeElement(it.value, inner); err != nil {
		return err
	}
	return encoder.EncodeToken(start.End())
}

type refusal struct {
	Fault struct {
		XMLName xml.Name `xml:"soapenv:Fault"`
		Code    string   `xml:"faultcode"`
		String  string   `xml:"faultstring"`
		Detail  struct {
			Fault detail
		} `xml:"detail"`
	}
}

type detail struct{ fault types.BaseMethodFault }

// MarshalXML names the element for the fault, as the API does.
func (it detail) MarshalXML(encoder *xml.Encoder, start xml.StartElement) error {
	kind := reflect.TypeOf(it.fault).Elem().Name()
	start.Name.Local = kind + "Fault"
	start.Attr = []xml.Attr{
		{Name: xml.Name{Local: "xmlns"}, Value: "urn:vim25"},
		{Name: xml.Name{Local: "xsi:type"}, Value: kind},
	}
	return encoder.EncodeElement(it.fault, start)
}

// decodable resolves names of types, with or without the prefix of a namespace.
func decodable(name string) (reflect.Type, bool) {
	find := types.TypeFunc()
	if found, ok := find(name); ok {
		return found, true
	}
	_, bare, _ := strings.Cut(name, ":")
	return find(bare)
}

// faultNamed makes a fault by its name in the API, without the package ("HostCommunication").
func faultNamed(name string) (types.BaseMethodFault, error) {
	kind, ok := decodable(name)
	if !ok {
		return nil, fmt.Errorf("no fault %q", name)
	}
	fault, ok := reflect.New(kind).Interface().(types.BaseMethodFault)
	if !ok {
		return nil, fmt.Errorf("%q is no fault", name)
	}
	return fault, nil
}

func writeAnswer(w http.ResponseWriter, value interface{}) { write(w, http.StatusOK, answer{value}) }

func writeFault(w http.ResponseWriter, words string, fault types.BaseMethodFault) {
	body := refusal{}
	body.Fault.Code, body.Fault.String, body.Fault.Detail.Fault = "ServerFaultCode", words, detail{fault}
	write(w, http.StatusInternalServerError, body)
}

func write(w http.ResponseWriter, status int, body interface{}) {
	var out bytes.Buffer
	out.WriteString(xml.Header)
	encoder := xml.NewEncoder(&out)
	must(encoder.Encode(envelope{
		Env:  "http://schemas.xmlsoap.org/soap/envelope/",
		XSD:  "http://www.w3.org/2001/XMLSchema",
		XSI:  "http://www.w3.org/2001/XMLSchema-instance",
		Body: body,
	}))
	must(encoder.Flush())
	w.Header().Set("Content-Type", "text/xml; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(out.Bytes())
}
