// What a frozen tower does between two matrix products, a kernel each. Formulas: fused.rs, whose composed ways are the
// reference. Compiled at run time by NVRTC, so no header is included: 16-bit numbers are converted here.
//
// Rows between blocks and everything of attention are f32; T is the type of the weights, and so of operands and results
// of products with them. All tensors are contiguous, row-major; a pointer that may be absent is null.

typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;

struct f16 { u16 bits; };
struct bf16 { u16 bits; };

__device__ inline float get(const float *p, u64 i) { return p[i]; }
__device__ inline void put(float *p, u64 i, float v) { p[i] = v; }

__device__ inline float get(const f16 *p, u64 i) {
  float v;
  asm("cvt.f32.f16 %0, %1;" : "=f"(v) : "h"(p[i].bits));
  return v;
}
__device__ inline void put(f16 *p, u64 i, float v) {
  u16 bits;
  asm("cvt.rn.f16.f32 %0, %1;" : "=h"(bits) : "f"(v));
  p[i].bits = bits;
}

__device__ inline float get(const bf16 *p, u64 i) { return __uint_as_float((u32)p[i].bits << 16); }
__device__ inline void put(bf16 *p, u64 i, float v) {
  u32 bits = __float_as_uint(v);
  bool nan = (bits & 0x7fffffffu) > 0x7f800000u;
  // To the nearest, ties to even; a NaN stays one.
  p[i].bits = nan ? 0x7fff : (u16)((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

// Every lane gets the sum of a warp: the same order on every card and in every run.
__device__ inline float total(float v) {
  for (int step = 16; step > 0; step >>= 1) v += __shfl_xor_sync(0xffffffffu, v, step);
  return v;
}
__device__ inline float largest(float v) {
  for (int step = 16; step > 0; step >>= 1) v = fmaxf(v, __shfl_xor_sync(0xffffffffu, v, step));
  return v;
}

// One warp a row: `row` is that of this warp, `lane` this thread's place in it.
#define WARP_ROWS(rows)                                                                                                \
  u64 row = (u64)blockIdx.x * (blockDim.x / 32) + threadIdx.x / 32;                                                    \
  u32 lane = threadIdx.x % 32;                                                                                         \
  if (row >= rows) return;
#define EACH(count)                                                                                                    \
  u64 i = (u64)blockIdx.x * blockDim.x + threadIdx.x;                                                                  \
  if (i >= count) return;

struct Moments { float mean, inverse; };

__device__ inline Moments moments(const float *x, u32 width, float eps) {
  float sum = 0, squares = 0;
  for (u32 c = threadIdx.x % 32; c < width; c += 32) sum += x[c];
  float mean = total(sum) / width;
  for (u32 c = threadIdx.x % 32; c < width; c += 32) squares += (x[c] - mean) * (x[c] - mean);
  return {mean, rsqrtf(total(squares) / width + eps)};
}

template <typename T>
__device__ void norm(const float *x, const float *gamma, const float *beta, T *out, float eps, u32 width, u64 rows) {
  WARP_ROWS(rows)
  x += row * width;
  Moments m = moments(x, width, eps);
  for (u32 c = lane; c < width; c += 32) put(out, row * width + c, (x[c] - m.mean) * m.inverse * gamma[c] + beta[c]);
}

template <typename T>
__device__ void norm_backward(const float *x, const float *gamma, const T *grad, const float *rest, float *out, float eps,
                              u32 width, u64 rows) {
  WARP_ROWS(rows)
  u64 at = row * width;
  Moments m = moments(x + at, width, eps);
  float sum = 0, along = 0;
  for (u32 c = lane; c < width; c += 32) {
    float g = get(grad, at + c) * gamma[c];
    sum += g;
    along += g * (x[at + c] - m.mean) * m.inverse;
  }
  float mean = total(sum) / width, slope = total(along) / width;
  for (u32 c = lane; c < width; c += 32) {
    float g = get(grad, at + c) * gamma[c], x_hat = (x[at + c] - m.mean) * m.inverse;
    out[at + c] = (g - mean - x_hat * slope) * m.inverse + rest[at + c];
  }
}

template <typename T>
__device__ void add_bias(const T *y, const float *bias, const float *rest, float *out, u32 width, u64 count) {
  EACH(count)
  float v = get(y, i);
  if (bias) v += bias[i % width];
  if (rest) v += rest[i];
  out[i] = v;
}

__device__ inline float sigmoid(float x) { return 1.0f / (1.0f + expf(-x)); }

template <typename T>
__device__ void activate(const T *x, const float *bias, T *out, u32 quick, u32 width, u64 count) {
  EACH(count)
  float v = get(x, i) + (bias ? bias[i % width] : 0.0f);
  put(out, i, quick ? v * sigmoid(1.702f * v) : 0.5f * v * (1.0f + erff(v * 0.70710678118654752f)));
}

template <typename T>
__device__ void activate_backward(const T *x, const float *bias, const T *grad, T *out, u32 quick, u32 width, u64 count) {
  EACH(count)
  float v = get(x, i) + (bias ? bias[i % width] : 0.0f), slope;
  if (quick) {
    float s = sigmoid(1.702f * v);
    slope = s + 1.702f * v * s * (1.0f - s);
  } else {
    slope = 0.5f * (1.0f + erff(v * 0.70710678118654752f)) + v * expf(-0.5f * v * v) * 0.39894228040143268f;
  }
  put(out, i, slope * get(grad, i));
}

// Rows [rows, heads·dim] as [groups, heads, queries, dim].
template <typename T>
__device__ void split(const T *x, const u32 *rows, const float *bias, const float *real, float *out, float scale,
                      u32 queries, u32 heads, u32 dim, u64 count) {
  EACH(count)
  u32 d = i % dim, q = i / dim % queries, h = i / dim / queries % heads;
  u64 g = i / dim / queries / heads, place = g * queries + q;
  u64 row = rows ? rows[place] : place;
  u32 c = h * dim + d;
  float v = (get(x, row * heads * dim + c) + (bias ? bias[c] : 0.0f)) * scale;
  out[i] = real ? v * real[place] : v;
}

// The way back: row r is place `places[r]`.
template <typename T>
__device__ void merge(const float *x, const u32 *places, T *out, float scale, u32 queries, u32 heads, u32 dim, u64 count) {
  EACH(count)
  u32 d = i % dim, h = i / dim % heads;
  u64 row = i / dim / heads, place = places ? places[row] : row;
  put(out, i, scale * x[((place / queries * heads + h) * queries + place % queries) * dim + d]);
}

// Keys and values [2, groups, heads, keys, dim] of cached rows, which come first, and own ones.
extern "C" __global__ void keys_f32(const float *cached, const float *own, const u32 *rows, float *out, u32 own_start,
                                    u32 groups, u32 keys, u32 heads, u32 dim, u64 count) {
  EACH(count)
  u32 d = i % dim, k = i / dim % keys, h = i / dim / keys % heads;
  u64 g = i / dim / keys / heads % groups, part = i / dim / keys / heads / groups;
  u64 row = rows ? rows[g * keys + k] : g * keys + k;
  const float *from = row < own_start ? cached + row * 2 * heads * dim : own + (row - own_start) * 2 * heads * dim;
  out[i] = from[(part * heads + h) * dim + d];
}

// Gradients of keys and of values as rows [groups·keys, 2·heads·dim].
extern "C" __global__ void join_keys_f32(const float *dk, const float *dv, float *out, u32 keys, u32 heads, u32 dim,
                                         u64 count) {
  EACH(count)
  u32 d = i % dim, h = i / dim % heads, part = i / dim / heads % 2;
  u64 place = i / dim / heads / 2;
  const float *from = part ? dv : dk;
  out[i] = from[((place / keys * heads + h) * keys + place % keys) * dim + d];
}

// `mask` is [groups, 1, queries or 1, keys].
extern "C" __global__ void softmax_f32(const float *x, const float *mask, float *out, u32 heads, u32 queries, u32 mask_rows,
                                       u32 keys, u64 rows) {
  WARP_ROWS(rows)
  u64 at = row * keys, group = row / queries / heads;
  const float *hidden = mask ? mask + (group * mask_rows + (mask_rows > 1 ? row % queries : 0)) * keys : 0;
  float most = -__int_as_float(0x7f800000), sum = 0;
  for (u32 c = lane; c < keys; c += 32) most = fmaxf(most, x[at + c] + (hidden ? hidden[c] : 0.0f));
  most = largest(most);
  for (u32 c = lane; c < keys; c += 32) sum += expf(x[at + c] + (hidden ? hidden[c] : 0.0f) - most);
  float inverse = 1.0f / total(sum);
  for (u32 c = lane; c < keys; c += 32) out[at + c] = expf(x[at + c] + (hidden ? hidden[c] : 0.0f) - most) * inverse;
}

extern "C" __global__ void softmax_backward_f32(const float *grad, const float *p, float *out, u32 keys, u64 rows) {
  WARP_ROWS(rows)
  u64 at = row * keys;
  float sum = 0;
  for (u32 c = lane; c < keys; c += 32) sum += grad[at + c] * p[at + c];
  sum = total(sum);
  for (u32 c = lane; c < keys; c += 32) out[at + c] = (grad[at + c] - sum) * p[at + c];
}

#define KERNELS(T, NAME)                                                                                               \
  extern "C" __global__ void norm_##NAME(const float *x, const float *gamma, const float *beta, T *out, float eps,     \
                                         u32 width, u64 rows) {                                                        \
    norm(x, gamma, beta, out, eps, width, rows);                                                                       \
  }                                                                                                                    \
  extern "C" __global__ void norm_backward_##NAME(const float *x, const float *gamma, const T *grad,                   \
                                                  const float *rest, float *out, float eps, u32 width, u64 rows) {     \
    norm_backward(x, gamma, grad, rest, out, eps, width, rows);                                                        \
  }                                                                                                                    \
  extern "C" __global__ void add_bias_##NAME(const T *y, const float *bias, const float *rest, float *out, u32 width,  \
                                             u64 count) {                                                              \
    add_bias(y, bias, rest, out, width, count);                                                                        \
  }                                                                                                                    \
  extern "C" __global__ void activate_##NAME(const T *x, const float *bias, T *out, u32 quick, u32 width, u64 count) { \
    activate(x, bias, out, quick, width, count);                                                                       \
  }                                                                                                                    \
  extern "C" __global__ void activate_backward_##NAME(const T *x, const float *bias, const T *grad, T *out, u32 quick, \
                                                      u32 width, u64 count) {                                          \
    activate_backward(x, bias, grad, out, quick, width, count);                                                        \
  }                                                                                                                    \
  extern "C" __global__ void split_##NAME(const T *x, const u32 *rows, const float *bias, const float *real,           \
                                          float *out, float scale, u32 queries, u32 heads, u32 dim, u64 count) {       \
    split(x, rows, bias, real, out, scale, queries, heads, dim, count);                                                \
  }                                                                                                                    \
  extern "C" __global__ void merge_##NAME(const float *x, const u32 *places, T *out, float scale, u32 queries,         \
                                          u32 heads, u32 dim, u64 count) {                                             \
    merge(x, places, out, scale, queries, heads, dim, count);                                                          \
  }

KERNELS(float, f32)
KERNELS(f16, f16)
KERNELS(bf16, bf16)
