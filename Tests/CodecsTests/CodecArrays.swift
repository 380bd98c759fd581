import Codecs

/// The codecs with arrays, for tests.
extension AudioEncoder {
    func encode(_ samples: [Int16]) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: 1500) { buffer, used in
            used = samples.withUnsafeBufferPointer { encode($0, into: UnsafeMutableRawBufferPointer(buffer)) }
        }
    }
}

extension AudioDecoder {
    func decode(_ payload: [UInt8]) -> [Int16] {
        [Int16](unsafeUninitializedCapacity: 5760) { buffer, used in used = payload.withUnsafeBytes { decode($0, into: buffer) } }
    }
    func conceal(_ count: Int) -> [Int16] {
        [Int16](unsafeUninitializedCapacity: 5760) { buffer, used in used = conceal(count: count, into: buffer) }
    }
    func redundancy(of payload: [UInt8], _ count: Int) -> [Int16] {
        [Int16](unsafeUninitializedCapacity: 5760) { buffer, used in
            used = payload.withUnsafeBytes { decodeRedundancy(of: $0, count: count, into: buffer) }
        }
    }
}
