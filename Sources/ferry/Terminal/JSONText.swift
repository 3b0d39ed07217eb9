import FoundationEssentials

/// JSON as it came, laid out for people: same members, same order, same spelling of every number and string.
enum JSONText {
    /// A value on one line, members in alphabetical order.
    static func encoded(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    /// Two blanks per level, a blank after each colon; empty arrays and objects stay on one line. Expects valid JSON.
    static func indented(_ bytes: some Sequence<UInt8>) -> String {
        var output: [UInt8] = []
        var level = 0
        var isInString = false
        var isEscaped = false
        var opened: UInt8?
        func breakLine() {
            output.append(UInt8(ascii: "\n"))
            output.append(contentsOf: repeatElement(UInt8(ascii: " "), count: level * 2))
        }
        for byte in bytes {
            if isInString {
                output.append(byte)
                if isEscaped {
                    isEscaped = false
                } else if byte == UInt8(ascii: "\\") {
                    isEscaped = true
                } else if byte == UInt8(ascii: "\"") {
                    isInString = false
                }
                continue
            }
            switch byte {
            case UInt8(ascii: " "), UInt8(ascii: "\n"), UInt8(ascii: "\r"), UInt8(ascii: "\t"):
                continue
            case UInt8(ascii: "]"), UInt8(ascii: "}"):
                level -= 1
                if opened == nil { breakLine() }
                opened = nil
                output.append(byte)
                continue
            default:
                break
            }
            if opened != nil {
                breakLine()
                opened = nil
            }
            switch byte {
            case UInt8(ascii: "["), UInt8(ascii: "{"):
                output.append(byte)
                level += 1
                opened = byte
            case UInt8(ascii: ","):
                output.append(byte)
                breakLine()
            case UInt8(ascii: ":"):
                output.append(byte)
                output.append(UInt8(ascii: " "))
            case UInt8(ascii: "\""):
                output.append(byte)
                isInString = true
            default:
                output.append(byte)
            }
        }
        return String(decoding: output, as: UTF8.self)
    }
}
