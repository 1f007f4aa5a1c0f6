import PDDocument
import Testing

@testable import PDProtocol

@Suite("The form around a request")
struct FormTests {
    private static let form = "application/x-www-form-urlencoded"

    @Test("both fields come out as the bytes that went in, whatever they are")
    func roundTrip() throws {
        let all = (0...255).map(UInt8.init)
        let envelope = V1.Envelope(data: all + Array("+ %&=é".utf8), signature: Array("-----BEGIN\n".utf8))
        #expect(try V1.Envelope(body: envelope.formBody(), contentType: Self.form) == envelope)
        let other = "Application/X-WWW-Form-Urlencoded; charset=UTF-8"
        #expect(try V1.Envelope(body: envelope.formBody(), contentType: other) == envelope)
        let unsigned = V1.Envelope(data: [], signature: nil)
        #expect(try V1.Envelope(body: unsigned.formBody(), contentType: Self.form) == unsigned)
    }

    @Test("other fields are left alone, a plus is a space, escapes may be of either case")
    func decoding() throws {
        let envelope = try V1.Envelope(
            body: Array("x=1&data=a+b%2bc%C3%a9&&y&data2=3&%73ignature=".utf8), contentType: Self.form)
        #expect(envelope.data == Array("a b+cé".utf8))
        #expect(envelope.signature == [])
    }

    @Test(
        "a body that is no such form is refused by its reason",
        arguments: [
            ("data=1&data=2", form, ProtocolError.repeatedField("data")),
            ("data=1&signature=a&signature=a", form, .repeatedField("signature")),
            ("data=1&%64ata=2", form, .repeatedField("data")), ("", form, .missingField("data")),
            ("signature=x", form, .missingField("data")), ("Data=1", form, .missingField("data")),
            ("data=%", form, .malformedForm(reason: "a percent sign without two hexadecimal digits")),
            ("data=%1", form, .malformedForm(reason: "a percent sign without two hexadecimal digits")),
            ("data=%g0", form, .malformedForm(reason: "a percent sign without two hexadecimal digits")),
            ("data=1", "text/plain", .notAForm), ("{\"data\":\"1\"}", "application/json", .notAForm),
            ("data=1", "", .notAForm),
            ("data=1", "multipart/form-data", .malformedForm(reason: "multipart without a boundary")),
        ])
    func refused(body: String, type: String, error: ProtocolError) {
        #expect(throws: error) { try V1.Envelope(body: Array(body.utf8), contentType: type) }
    }

    private func multipart(_ parts: String..., end: String = "--b--\r\n") throws -> V1.Envelope {
        let body = parts.map { "--b\r\n\($0)\r\n" }.joined() + end
        return try V1.Envelope(body: Array(body.utf8), contentType: "multipart/form-data; boundary=\"b\"")
    }

    @Test("multipart/form-data with the same fields is read as well")
    func multipartForm() throws {
        let envelope = try multipart(
            "Content-Disposition: form-data; name=\"data\"\r\n\r\n{\r\n}",
            "content-disposition:form-data;name=\"signature\"\r\nContent-Type: text/plain\r\n\r\n--\r\n--x",
            "Content-Disposition: form-data; name=\"more\"; filename=\"f\"\r\n\r\n")
        #expect(envelope.data == Array("{\r\n}".utf8))
        #expect(envelope.signature == Array("--\r\n--x".utf8))
    }

    @Test("multipart bodies that are cut, encoded once more or repeat a field are refused")
    func badMultipart() {
        let data = "Content-Disposition: form-data; name=\"data\"\r\n\r\n1"
        func expect(_ reason: String, _ body: () throws -> V1.Envelope) {
            #expect(throws: ProtocolError.malformedForm(reason: reason)) { _ = try body() }
        }
        #expect(throws: ProtocolError.repeatedField("data")) { try multipart(data, data) }
        expect("multipart ends early") { try multipart(data, end: "") }
        expect("bad multipart delimiter") { try multipart(data, end: "--bx") }
        expect("multipart without parts") {
            try V1.Envelope(body: Array("data=1".utf8), contentType: "multipart/form-data; boundary=b")
        }
        expect("multipart part with a transfer encoding") {
            try multipart("Content-Transfer-Encoding: base64\r\n" + data)
        }
        expect("multipart part without a name") { try multipart("Content-Disposition: form-data\r\n\r\n1") }
        expect("multipart part without headers") { try multipart("1") }
    }
}
