// Cooperative matrices of a subgroup (SPV_KHR_cooperative_matrix), for glslang of before GL_KHR_cooperative_matrix too.
// cmake/FwSpirv.cmake makes of these numbers what a type cannot have here: specialization constants, other types.
#extension GL_EXT_spirv_intrinsics : require
const int SPECIALIZED_M = 0x7f00000a;  // constant_id 10
const int SPECIALIZED_N = 0x7f00000b;
const int SPECIALIZED_K = 0x7f00000c;
const int TYPE_INT8 = 0x7f010008;
const int TYPE_INT = 0x7f010020;
const int TYPE_FLOAT16 = 0x7f020010;
const int TYPE_FLOAT = 0x7f020020;
const int SUBGROUP = 3;  // scopes
const int WORKGROUP = 2;
const int USE_A = 0;
const int USE_B = 1;
const int USE_SUM = 2;
const int ROWS_FIRST = 0;  // layouts
const int COLUMNS_FIRST = 1;
#ifdef INT8
#define FACTOR TYPE_INT8
#define FACTOR_CAPABILITY 39  // Int8
#define SUM int
#define SUM_TYPE TYPE_INT
#define MULTIPLY_ADD(a, b, sum) multiply_add(a, b, sum, 15)  // all three and the result are signed
#else
#define FACTOR TYPE_FLOAT16
#define FACTOR_CAPABILITY 9  // Float16
#define SUM float
#define SUM_TYPE TYPE_FLOAT
#define MULTIPLY_ADD(a, b, sum) multiply_add(a, b, sum, 0)
#endif
#define COOPERATIVE(component, rows, columns, use)                                                    \
    spirv_type(extensions = ["SPV_KHR_cooperative_matrix"], capabilities = [6022, FACTOR_CAPABILITY], id = 4456, component, SUBGROUP, \
               rows, columns, use)
#define MATRIX_A COOPERATIVE(FACTOR, SPECIALIZED_M, SPECIALIZED_K, USE_A)
#define MATRIX_B COOPERATIVE(FACTOR, SPECIALIZED_K, SPECIALIZED_N, USE_B)
#define MATRIX_SUM COOPERATIVE(SUM_TYPE, SPECIALIZED_M, SPECIALIZED_N, USE_SUM)
// Memory is the work group's, other subgroups write and read it.
#define LOAD_A(from, stride) load_a(from, ROWS_FIRST, stride, 0x30, WORKGROUP)
#define LOAD_B(from, stride) load_b(from, COLUMNS_FIRST, stride, 0x30, WORKGROUP)
#define STORE_SUM(to, sum, stride) store_sum(to, sum, ROWS_FIRST, stride, 0x28, WORKGROUP)

spirv_instruction(id = 4457)
MATRIX_A load_a(spirv_by_reference WORD from, int layout_, int stride, spirv_literal int access, int scope);
spirv_instruction(id = 4457)
MATRIX_B load_b(spirv_by_reference WORD from, int layout_, int stride, spirv_literal int access, int scope);
spirv_instruction(id = 4458)
void store_sum(spirv_by_reference SUM to, MATRIX_SUM sum, int layout_, int stride, spirv_literal int access, int scope);
spirv_instruction(id = 4459)
MATRIX_SUM multiply_add(MATRIX_A a, MATRIX_B b, MATRIX_SUM sum, spirv_literal int operands);
spirv_instruction(id = 80)  // OpCompositeConstruct
MATRIX_SUM filled(SUM value);
